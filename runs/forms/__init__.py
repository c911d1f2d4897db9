"""Forms with fixed questions; those of apps are made from their parameters (`runs.schema_forms`)."""
