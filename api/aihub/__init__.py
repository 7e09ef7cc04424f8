"""AIHub's own surface, under /api."""
