"""How gunicorn serves ``app:server``; it reads this file by itself. Every setting comes from the environment."""

import os

host = os.environ.get("HOST", "127.0.0.1")
bind = f"{f'[{host}]' if ':' in host else host}:{os.environ.get('PORT', '8050')}"
workers = int(os.environ.get("WORKERS", "2"))
threads = int(os.environ.get("THREADS", "4"))
worker_class = "gthread"
preload_app = True  # torch is imported once and shared; it runs on one thread, so nothing is lost in the fork
timeout = int(os.environ.get("TIMEOUT", "60"))
graceful_timeout = 9  # Docker gives 10 before it kills
keepalive = 30
limit_request_line = 8190  # the longest links that the page writes are near gunicorn's own limit
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # the heartbeat file, also on a read-only root
control_socket_disable = True
loglevel = os.environ.get("LOG_LEVEL", "warning")


def post_worker_init(worker):
    """Each worker gets going before it is asked anything."""
    from app import warm_up
    from explorer.whole import write_whole_answers

    write_whole_answers()
    warm_up(worker.wsgi)


def worker_exit(server, worker):
    """A worker that was asked to end is done; taking torch apart, object by object, would only keep the stop waiting."""
    if worker.booted and not worker.alive:
        os._exit(0)
