"""How the checkout becomes a package: what lies beside ``explorer`` is installed as ``explorer._root``. All else: pyproject.toml."""

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py


class BuildWithoutThis(build_py):
    """Of the modules beside ``explorer``, this file stays out of the package."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """The modules of a package: its name, theirs, and their files."""
        return [found for found in super().find_package_modules(package, package_dir) if found[:2] != ("explorer._root", "setup")]


setup(
    packages=[*find_packages(include=["explorer", "explorer.*"]), "explorer._root"],
    package_dir={"explorer._root": "."},
    package_data={
        "explorer": ["**/*"],
        "explorer._root": ["assets/**/*", "models/*.npz", "requirements.txt", "constraints.txt"],
    },
    exclude_package_data={"": ["**/__pycache__/*", "*.pyc"]},
    cmdclass={"build_py": BuildWithoutThis},
)
