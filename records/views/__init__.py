"""The pages of end users: a room for each noun."""
