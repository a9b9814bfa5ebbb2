"""The explorer with an empty Dash callback beside it: ``python -m bench.served`` serves it as ``python app.py`` does."""

from dash import Dash, Input, Output

from app import create_app, main


def add_empty(dash: Dash) -> None:
    """Add a callback that does nothing."""

    @dash.callback(Output("empty-output", "data"), Input("empty-input", "data"))
    async def empty(question: object) -> int:
        return 0


if __name__ == "__main__":
    main("bench.served:server")
elif __name__ != "__mp_main__":
    server = create_app(add_empty)
