"""What is made for the outside once a wave has settled. Nothing here writes a file."""
