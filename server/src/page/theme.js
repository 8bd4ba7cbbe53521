// Before anything is painted: the theme that was chosen last. Storage may be missing or shut.
try {
	const theme = localStorage.getItem("theme");
	if (theme) document.documentElement.dataset.theme = theme;
} catch {}
