"""The explorer with one more file, through which a page hands out its modules: Firefox's driver cannot import them itself."""

if __name__ == "__main__":
    from app import main

    main("tests.browser.exposed:server")
elif __name__ != "__mp_main__":  # a spawned worker must answer its parent within 5 s, and `app` takes longer on a busy machine
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from app import create_app

    from .chromium import EXPOSE_NOW

    async def expose(_: Request) -> Response:
        """A module script for a page that is loaded."""
        return Response(EXPOSE_NOW, media_type="text/javascript")

    server = create_app()
    server.routes.append(Route("/expose.js", expose))
