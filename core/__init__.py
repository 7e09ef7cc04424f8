"""Everything AIHub does, without a screen: services that pages and routes call."""
