"""What becomes of certified texts and contracts: their certificates kept, and who has not signed yet."""
