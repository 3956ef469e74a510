"""The geometric preview renderer: instant, no weights, any photo."""
