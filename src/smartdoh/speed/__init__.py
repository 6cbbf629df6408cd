"""Which of a name's addresses is fastest from here, and which of them is really the name's."""
