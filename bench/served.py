"""The explorer with an empty Dash callback beside it, for ``bench.serving``."""

from dash import Input, Output

from app import create_app

app = create_app()


@app.callback(Output("empty-output", "data"), Input("empty-input", "data"))
def empty(question: object) -> int:
    """Answer nothing of interest."""
    return 0


server = app.server
