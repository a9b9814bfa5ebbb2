"""The server around the callbacks: settings, queues, limits, errors, health, metrics, log, headers and static files."""
