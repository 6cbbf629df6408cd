"""What holds for every input, tried with many: hypothesis makes them, dnspython knows the truth."""
