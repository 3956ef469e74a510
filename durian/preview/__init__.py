"""The geometric preview: instant, no weights, any photo."""
