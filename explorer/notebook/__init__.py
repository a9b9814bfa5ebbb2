"""The notebook of a state: a Jupyter notebook that rebuilds the case, computes its pinned methods again and asserts the page's numbers."""

from explorer.notebook.notebook import check_notebook as check_notebook
from explorer.notebook.notebook import notebook as notebook
