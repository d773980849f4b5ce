"""What evaluations and trainings cost: time, hardware, and with the extra `energy` electricity and CO2."""
