"""Rules: what a row must be like to be trusted, one worry per file. None mends a row."""
