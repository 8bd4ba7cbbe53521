// The theme that was chosen last, before anything is painted. Storage may be shut.
try {
	const theme = localStorage.getItem("theme");
	if (theme) document.documentElement.dataset.theme = theme;
} catch {}
