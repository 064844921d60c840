"""The study's library: arms, cells, rows, and the tables that are written from them."""
