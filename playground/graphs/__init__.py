"""The workbench's pictures: what happened, what would happen, what hangs together; as geometry for the templates."""
