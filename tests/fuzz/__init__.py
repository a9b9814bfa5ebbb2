"""A fuzzer of the server: ``make fuzz``."""
