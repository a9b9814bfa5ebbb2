"""How gunicorn serves ``app:server``; it reads this file by itself. Every setting comes from the environment."""

import gc
import os
import shutil
import sys
import tempfile

from explorer import logs
from explorer.serving import Serving, SettingError
from explorer.worker import most_connections

try:
    serving = Serving.read(os.environ)
except SettingError as wrong:
    sys.exit(str(wrong))
in_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # also there when the root is read-only

bind = f"{f'[{serving.host}]' if ':' in serving.host else serving.host}:{serving.port}"
workers = serving.workers
threads = serving.threads
worker_class = "explorer.worker.Worker"
preload_app = True  # torch is imported once and shared; it runs on one thread, so nothing is lost in the fork
timeout = serving.timeout
graceful_timeout = 9  # what is in the line at a stop is answered within 4 s of waiting and 2 s of work; Docker gives 10
keepalive = 30
worker_connections = most_connections()
limit_request_line = 8190  # the longest links that the page writes are near gunicorn's own limit
worker_tmp_dir = in_memory  # for the heartbeat file
control_socket_disable = True
sendfile = False  # answers are in memory, and leave in one piece
# Which forwarded headers are believed is TRUSTED_PROXIES' business alone. By itself gunicorn would believe some of this machine.
forwarded_allow_ips = ""
secure_scheme_headers = {}
forwarder_headers = ""
loglevel = serving.log_level
logger_class = "explorer.worker.JsonLogger"
logs.configure(serving.log_level, requests=serving.access_log)
COUNTED_IN, OURS = "PROMETHEUS_MULTIPROC_DIR", "explorer-metrics-"
if serving.metrics and OURS not in os.environ.get(COUNTED_IN, ""):  # this file is read again when gunicorn reloads
    # before prometheus_client is imported, which looks for it once
    os.environ[COUNTED_IN] = tempfile.mkdtemp(prefix=OURS, dir=in_memory)


def when_ready(server):
    """What is loaded now stays: no worker's garbage collector has to walk through it, and so copy it, ever again."""
    gc.collect()
    gc.freeze()


def post_worker_init(worker):
    """Each worker gets going before it is asked anything."""
    from explorer.page.guard import NAME

    worker.wsgi.extensions[NAME].worker_started(lambda: not worker.alive)


def worker_exit(server, worker):
    """A worker that was asked to end is done; taking torch apart, object by object, would only keep the stop waiting."""
    if worker.booted and not worker.alive:
        os._exit(0)


def child_exit(server, worker):
    """What a worker that ended was doing is no longer done."""
    if serving.metrics:
        from explorer.page.metrics import forget_worker

        forget_worker(worker.pid)


def on_exit(server):
    """Leave nothing behind."""
    if serving.metrics:
        shutil.rmtree(os.environ[COUNTED_IN], ignore_errors=True)
