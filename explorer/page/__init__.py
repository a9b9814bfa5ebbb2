"""The page: layout, callbacks and words. The only place that imports dash."""
