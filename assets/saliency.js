// The first tab: the picture beside its gradient.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, view } = explorer;
  let input;
  let gradient;

  explorer.startSaliency = function () {
    const host = byId("saliency-maps");
    input = new explorer.PixelMap(host, { name: "input", title: "Input x", kind: "grey" });
    gradient = new explorer.PixelMap(host, { name: "gradient", title: "Gradient ∂F/∂x", kind: "signed", numbers: true });
    explorer.onShown("saliency", draw);
  };

  function draw() {
    const { map } = view.answer.methods.gradient;
    input.set(view.asked.pixels, 1);
    input.describe(explorer.pictureName(view.asked.pixels).title);
    gradient.set(map, explorer.largest(map));
    gradient.describe(`at this picture, F = ${explorer.outputName()}`);
  }
})();
