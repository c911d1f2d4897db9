"""How the portal itself is: signs of life, workers, and what an admin sees of them."""
