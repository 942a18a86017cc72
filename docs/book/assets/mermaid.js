// Turns ```mermaid fences into drawings, as GitHub does by itself.
//
// Mermaid is fetched from a CDN at a pinned version, and the browser refuses it if its bytes are not those of the hash.
// Where it cannot be had, the text of the drawing stays, which says the same in words.
(function () {
  "use strict";

  var ADDRESS = "https://cdn.jsdelivr.net/npm/mermaid@11.6.0/dist/mermaid.min.js";
  var INTEGRITY = "sha384-zkWMJO4sgpPUzyuOgDx8HB/K55glbAwajEpk1Go2NWRuPkPA/wIhoEJTuSkmOYrV";
  var DRAWING = /^\s*(flowchart|sequenceDiagram|stateDiagram-v2)\b/;

  // The fences with drawings: coloured code does not keep the name of its language, so the first word tells.
  function drawings() {
    return Array.prototype.filter.call(document.querySelectorAll("pre > code"), function (code) {
      return DRAWING.test(code.textContent);
    });
  }

  function draw(mermaid) {
    mermaid.initialize({ startOnLoad: false, theme: "neutral", securityLevel: "strict" });
    drawings().forEach(function (code, number) {
      mermaid.render("drawing-" + number, code.textContent).then(
        function (drawn) {
          var figure = document.createElement("figure");
          figure.className = "drawing";
          figure.innerHTML = drawn.svg;
          (code.closest(".codehilite") || code.parentNode).replaceWith(figure);
        },
        function (error) {
          console.warn("a drawing stays text:", error);
        }
      );
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
    if (drawings().length === 0) return;
    var script = document.createElement("script");
    script.src = ADDRESS;
    script.integrity = INTEGRITY;
    script.crossOrigin = "anonymous";
    script.onload = function () {
      draw(window.mermaid);
    };
    document.head.appendChild(script);
  });
})();
