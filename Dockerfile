# The app for a class: docs/hosting.md says how to run it.
FROM python:3.12-slim

# CPU wheels of torch: those of the default index bring CUDA, several GB that no server without a GPU needs.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --index-url "$TORCH_INDEX" torch torchvision \
    && pip install --no-cache-dir -r requirements.txt

COPY app.py ./
COPY .streamlit .streamlit
COPY scse_viz scse_viz
COPY pretrained pretrained
COPY sample_data sample_data
RUN python -m compileall -q scse_viz && useradd --no-create-home --uid 10001 app

USER app
# Nothing is written: the root file system may be read-only, and uploads stay in memory.
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["python", "-m", "streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true", "--server.fileWatcherType=none"]
