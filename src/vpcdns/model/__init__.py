"""Pure values and rules. Knows nothing of I/O, schemas, codecs, clocks or chance (DESIGN section 4)."""
