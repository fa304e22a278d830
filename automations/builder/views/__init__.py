"""The pages of one automation, and the addresses that they ask while somebody works on them."""
