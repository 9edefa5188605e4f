"use strict";
(async () => {
  // `ast`: expressions are interpreted, never compiled, so the policy of the page needs no eval.
  const options = {actions: false, ast: true, mode: "vega-lite", renderer: "svg"};
  for (const chart of document.querySelectorAll(".chart")) {
    const spec = chart.parentElement.querySelector("script[type='application/json']");
    try {
      await window.vegaEmbed(chart, JSON.parse(spec.textContent), options);
      chart.dataset.drawn = "yes";
    } catch (error) {
      console.error(error);
      chart.classList.add("failed");
      chart.textContent = "This chart could not be drawn; its numbers stand below.";
      chart.closest("section").querySelector("details").open = true;
    }
  }
  document.documentElement.dataset.drawn = "yes";
})();
