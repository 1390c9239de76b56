"""What the help of each command ends with: examples, and what its exit status means."""

EXIT_CODES = (
    "[bold]Exit status:[/bold] 0 all went well; 1 the results are written, but are not to be "
    "trusted (it says why); 2 bad input, nothing is written."
)
FIT = (
    "[bold]Examples[/bold]\n\n"
    "[cyan]gammajax fit -d datasets.yaml -m models.yaml -o result[/cyan]\n\n"
    "[cyan]gammajax fit -d datasets.yaml -m models.yaml -o result --energy-min 'hess*=0.5 TeV' "
    "--energy-min 'magic*=80 GeV' --energy-max '30 TeV'[/cyan]\n\n"
    "On each of two hosts, with --process 0 on node1 and --process 1 on the other:\n\n"
    "[cyan]gammajax fit -d datasets.yaml -m models.yaml -o result --checkpoint fit.npz "
    "--coordinator node1:9876 --processes 2 --process 0[/cyan]\n\n"
    + EXIT_CODES
    + " With --coordinator also 3: another process was lost."
)
DOWNLOAD = (
    "[bold]Examples[/bold]\n\n"
    "[cyan]gammajax download --list[/cyan]\n\n"
    "[cyan]gammajax download hess-dl3-dr1 joint-crab --output data[/cyan]\n\n"
    "[bold]Exit status:[/bold] 0 all files are there; 1 some are missing (it says which); 2 "
    "bad input."
)
SAMPLE = (
    "[bold]Examples[/bold]\n\n"
    "[cyan]gammajax sample -d datasets.yaml -m models.yaml -o posterior[/cyan]\n\n"
    "[cyan]gammajax sample -d datasets.yaml -m models.yaml -o quick --svi[/cyan]\n\n"
    + EXIT_CODES
)
POINTS = (
    "[bold]Examples[/bold]\n\n"
    "[cyan]gammajax flux-points -d datasets.yaml -m result/models.yaml -o points --edges "
    "'0.7,1.4,2.8,5.5,11,30'[/cyan]\n\n"
    "[cyan]gammajax light-curve -d datasets.yaml -m result/models.yaml -o curve --intervals "
    "night[/cyan]\n\n"
    "[cyan]gammajax ts-map -d datasets.yaml -m models.yaml -o map --kernel-width '0.5 deg'"
    "[/cyan]\n\n" + EXIT_CODES
)
REDUCE = (
    "[bold]Examples[/bold]\n\n"
    "[cyan]gammajax reduce crab.yaml --dry-run[/cyan]\n\n"
    "[cyan]gammajax reduce crab.yaml -o datasets --jobs 4[/cyan]\n\n"
    "[bold]Exit status:[/bold] 0 all went well; 1 some runs could not be reduced, and are left "
    "out (it says which, and why); 2 bad input, nothing is written."
)
ANALYSIS = (
    "[bold]Examples[/bold]\n\n"
    "[cyan]gammajax analysis crab.yaml --dry-run[/cyan]\n\n"
    "[cyan]gammajax analysis crab.yaml -o crab[/cyan]\n\n" + EXIT_CODES
)
CATALOG = (
    "[bold]Examples[/bold]\n\n"
    "[cyan]gammajax catalog 3fhl 'Crab Nebula'[/cyan]\n\n"
    "[cyan]gammajax catalog 3fhl --region 'galactic;circle(0, 0, 5)' -o models.yaml[/cyan]\n\n"
    "[bold]Exit status:[/bold] 0 all went well; 1 some sources became no model, and are left "
    "out (it says which, and why); 2 bad input, nothing is written."
)
SURVEY = (
    "[bold]Examples[/bold]\n\n"
    "[cyan]gammajax catalog-fit 3fhl -d datasets.yaml -m diffuse.yaml -o fit --min-ts 25 "
    "--checkpoint fit.npz[/cyan]\n\n"
    "[cyan]gammajax find-sources -d datasets.yaml -m fit/models.yaml -o new[/cyan]\n\n"
    + EXIT_CODES
)
