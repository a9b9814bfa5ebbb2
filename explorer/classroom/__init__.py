"""A class that looks at one thing together: rooms, what they keep and for how long, and their routes. Off unless ``ROOMS=1``."""
