"""Colours and markers of sites, in pictures and on pages alike.

The colours are those of Okabe and Ito (2008), which people with the common forms of colour blindness tell apart; the
markers, by matplotlib's names, do the same in grey print.
"""

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
