"""Hair, brows and beards: styles, where strands grow, and the strands themselves."""
