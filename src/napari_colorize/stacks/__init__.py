"""Many planes of one thing: movies and volumes whose colour holds still."""
