"""An app's parameter list becomes a Django form, and the filled form becomes the inputs of a run.

No database and no HTTP: files appear here only as ids that a function handed to the form looks up.
`answers.Answer` is one value, as it is posted, stored and sent. `build.build_form` makes the form, `inputs.to_inputs`
what is sent. `inputs.answers_for` carries answers over to another version of the list, and `inputs.map_field_errors`
maps what Lamina refused to the fields.
"""
