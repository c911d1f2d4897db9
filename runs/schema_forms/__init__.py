"""Turn an app's parameter list into a Django form, and the completed form into the inputs of a run.

This package doesn't use the database or HTTP: files are just ids, which the form looks up with a function passed to it.
`answers.Answer` is one answer as it is posted, stored and sent. `build.build_form` builds the form, and
`inputs.to_inputs` the inputs to send. `inputs.answers_for` carries answers over to another version of the parameter
list, and `inputs.map_field_errors` finds the fields that Lamina's errors refer to.
"""
