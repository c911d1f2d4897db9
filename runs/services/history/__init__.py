"""Finding runs again, and what is done with many of them: filters, pages, stars, titles, the bin."""
