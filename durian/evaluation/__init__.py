"""Quality on data: metrics, reenactment of real clips, transfer on scenes with known truth, clicks for a mask."""
