"""What Holdfast itself keeps and nothing else could give back."""
