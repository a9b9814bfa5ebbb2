"""``python -m explorer`` is the command ``gradient-explorer``."""

from explorer.command import main

if __name__ == "__main__":
    main()
