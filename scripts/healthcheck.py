"""The image's health check: exits with 0 if the server in this container answers."""

import os
import urllib.request

port = os.environ.get("PORT", "8050")
# Without proxies from the environment, which are outside of the container.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
opener.open(f"http://127.0.0.1:{port}/healthz", timeout=4).close()
