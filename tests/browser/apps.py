"""Apps of the sandbox's catalogue that the stories know by their ids."""

CARTOONIFY = "3f68debe-df0a-4fc9-bdd3-9d45a4160587"
CATALOG_SET = "173692dd-0258-41bd-8a56-2cf9bbe89910"
# The app of runs that are made up: one that is being looked for keeps other starts of its app waiting, and finished
# ones tell the poller when the next may be ready.
LEFT_ALONE = "card-no-price"
