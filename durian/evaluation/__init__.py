"""Quality on data: protocols, the methods they compare, metrics, and the report; and clicks for a mask."""
