"""The attribution methods: one module a method or close family. ``registry`` lists the modules."""
