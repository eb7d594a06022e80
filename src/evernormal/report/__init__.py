"""What do people read? Charts, brief, workbook and messages.

``brief`` writes a page, a workbook and the data of a simulation; ``charts`` draws its pictures; ``summary``
gives the same as JSON and for a terminal; ``explain`` walks from a number back to its sources; ``language``
holds every word in English and Korean.
"""
