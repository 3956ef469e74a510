"""The look of skin: its texture, pores, wrinkles, lips, make-up and stubble."""
