"""What do people read? Charts, brief, workbook and messages."""
