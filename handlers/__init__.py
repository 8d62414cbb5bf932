"""The trade: one small file per idea. Leaves of the tree; nothing imports them."""
