"""Turn an app's parameter list into a Django form, and the completed form into the inputs of a run.

This package doesn't use the database or HTTP: files are just ids, which the form looks up with a function passed to it.
`questions.Question` is one parsed parameter; `AppSchema.questions` has them all. `answers.Answer` is one answer as it
is posted, stored and sent. `build.SchemaForm` is the form, and `inputs.to_inputs` makes the inputs to send.
`inputs.fit_answers` carries answers over to another version of the form, and `inputs.map_field_errors` finds the fields
that Lamina's errors refer to.
"""
