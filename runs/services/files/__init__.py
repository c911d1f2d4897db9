"""Files from and for strangers: fetched through the guard, kept whole, made small, named, served, with a passport."""
