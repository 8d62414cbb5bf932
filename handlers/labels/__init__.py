"""Labels: what the price became. The only handlers that look ahead."""
