"""What is made for the outside once a wave has settled."""
