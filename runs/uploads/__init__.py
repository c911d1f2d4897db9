"""Files and links that people add to forms.

Start with `uploads.py` (receive and check them), `ownership.py` (use files of earlier runs again) and `asset_upload.py`
(send a file to Lamina, once). Table: `Upload`. Has no events. `launching` and `catalog` receive files with it, `engine`
has them sent to Lamina, `sharing` shows the company's logo, and `tasks.py` fetches links.
"""
