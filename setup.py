from pathlib import Path

from setuptools import find_packages, setup

README = Path(__file__).with_name("README.md")

# Both distributions provide the module `fairseq`: exactly one of them is asked for on any Python.
# Official fairseq does not import on Python 3.11 (mutable dataclass defaults); fairseq-fixed is
# its later main branch with those repaired, and needs the omegaconf of 3.11.
FAIRSEQ = [
    'fairseq-fixed>=0.12.3.1; python_version >= "3.11"',
    'fairseq==0.12.2; python_version < "3.11"',
    'numpy<1.24; python_version < "3.11"',  # fairseq 0.12.2 uses np.float, which 1.24 took away
    'torch>=2.11,<2.14; python_version >= "3.11"',
    'torch>=2.5.1,<2.6; python_version < "3.11"',
    # imported by fairseq, but not declared by every release of it
    "bitarray",
    "lxml",
    "scikit-learn",
]

EXTRAS = {
    "test": ["pytest>=7", "pytest-xdist>=3", "pytest-cov", "hypothesis"],
    "browser": ["playwright"],  # drives an installed Chromium in the tests of pages
    "lint": ["ruff", "mypy", "types-PyYAML", "types-tqdm"],
    "huggingface": [
        "safetensors",
        "tokenizers",
        # only to compare with: later ones do without torch 2.5
        'transformers; python_version >= "3.11"',
        'transformers<5; python_version < "3.11"',
    ],
    "ctranslate2": ["ctranslate2>=4"],
    # httpx2 is httpx, maintained
    "distillation": [
        'httpx2>=2; python_version >= "3.10"',
        'httpx>=0.27; python_version < "3.10"',
    ],
    "playground": ["flask>=2.2", "waitress>=2.1"],
}
EXTRAS["all"] = [requirement for extra in EXTRAS.values() for requirement in extra]

setup(
    name="fairseq-instr",
    version="0.1.0",
    description="A fairseq plugin that teaches translation models to follow instructions",
    long_description=README.read_text(encoding="utf-8") if README.exists() else "",
    long_description_content_type="text/markdown",
    packages=find_packages(include=["fairseq_instr", "fairseq_instr.*"]),
    package_data={"fairseq_instr": ["*.yaml", "**/*.yaml", "*/page/*"]},
    entry_points={
        "console_scripts": ["fairseq-instr-playground=fairseq_instr.cli.playground:main"],
    },
    zip_safe=False,  # fairseq imports a user directory from its files
    python_requires=">=3.9",
    install_requires=FAIRSEQ
    + [
        "jinja2>=3",
        "langid",
        "matplotlib",
        "numpy",
        "pyyaml",
        "sacrebleu>=2.2",
        "sentencepiece",
        "tqdm",
    ],
    extras_require=EXTRAS,
    classifiers=[
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Text Processing :: Linguistic",
    ],
)
